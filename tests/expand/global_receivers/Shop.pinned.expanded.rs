impl Shop {
    async fn pinned(mut self: Pin<&mut Self>) -> Result<(), Failure> {
        ::unanimous::__private::run_global(
                ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "pinned",
                    ),
                ),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<(), Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.probe.touch("Pin").await?;
                            self.last.clear();
                            Ok(())
                        }
                    }),
                ),
            )
            .await
    }
}
