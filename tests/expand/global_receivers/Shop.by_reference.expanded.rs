impl Shop {
    async fn by_reference(&self) -> Result<&str, Failure> {
        ::unanimous::__private::run_global(
                ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "by_reference",
                    ),
                ),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<&str, Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.probe.touch("&self").await?;
                            Ok(&self.last)
                        }
                    }),
                ),
            )
            .await
    }
}
