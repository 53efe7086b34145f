async fn existential(
    probe: &Probe,
    words: impl Iterator<Item = &str> + Send,
) -> Result<impl Display, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "existential",
                ),
            ),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<_, Failure> = loop {};
                        return __returned;
                    }
                    {
                        let mut last = 0;
                        for word in words {
                            last = probe.touch(word).await?;
                        }
                        Ok(last)
                    }
                }),
            ),
        )
        .await
}
