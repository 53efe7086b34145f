impl Shop {
    async fn by_value(mut self) -> Result<String, Failure> {
        ::unanimous::__private::run_global(
                ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "by_value",
                    ),
                ),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<String, Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.probe.touch("self").await?;
                            self.last.push('.');
                            Ok(self.last)
                        }
                    }),
                ),
            )
            .await
    }
}
