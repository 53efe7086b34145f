impl Corner<'_> {
    fn by_hand<'life0, 'async_trait>(
        &'life0 self,
    ) -> Pin<Box<dyn Future<Output = Result<usize, Failure>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            ::unanimous::__private::run_global(
                    ::unanimous::__private::GlobalSpec::new(
                        ::core::concat!(
                            ::core::module_path!(),
                            "::",
                            "by_hand",
                        ),
                    ),
                    ::unanimous::__private::how(),
                    ::core::pin::pin!(
                        ::core::option::Option::Some(async move {
                            #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                            if false {
                                let __returned: Result<usize, Failure> = loop {};
                                return __returned;
                            }
                            {
                                let count = self.0.touch("by hand").await?;
                                Ok(count)
                            }
                        }),
                    ),
                )
                .await
        })
    }
}
