impl Shop {
    async fn shared(self: Arc<Self>) -> Result<Arc<Self>, Failure> {
        ::unanimous::__private::run_global(
                ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "shared",
                    ),
                ),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<Arc<Self>, Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.probe.touch("Arc<Self>").await?;
                            Ok(self)
                        }
                    }),
                ),
            )
            .await
    }
}
