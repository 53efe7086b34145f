impl Shop<'_> {
    async fn purchase(&self, factor: u32) -> Result<(), Failure> {
        ::unanimous::__private::run_global(
                ::unanimous::__private::GlobalSpec::new(
                        ::core::concat!(
                            ::core::module_path!(),
                            "::",
                            "purchase",
                        ),
                    )
                    .timeout(self.patience * factor)
                    .settle(self.patience),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<(), Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.probe.touch("patient").await?;
                            self.started.notify_one();
                            pending().await
                        }
                    }),
                ),
            )
            .await
    }
}
