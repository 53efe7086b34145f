trait Shop: Sync {
    fn probe(&self) -> &Probe;
    async fn refund(&self) -> Result<(), Failure> {
        ::unanimous::__private::run_global(
                ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "refund",
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
                            self.probe().touch("refund").await?;
                            Ok(())
                        }
                    }),
                ),
            )
            .await
    }
    fn purchase(&self, count: u32) -> impl Future<Output = Result<u32, Failure>> + Send;
}

impl Shop for Corner<'_> {
    fn probe(&self) -> &Probe {
        self.0
    }
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
