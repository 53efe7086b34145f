impl Shop for Corner<'_> {
    async fn purchase(&self, count: u32) -> Result<u32, Failure> {
        ::unanimous::__private::run_global(
                ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "purchase",
                    ),
                ),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<u32, Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.0.touch("purchase").await?;
                            if count > 9 {
                                Failure::business("too many")
                            } else {
                                Ok(count)
                            }
                        }
                    }),
                ),
            )
            .await
    }
}
