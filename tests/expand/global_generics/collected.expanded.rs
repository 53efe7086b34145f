async fn collected(probe: &Probe, words: &[&str]) -> Result<Vec<usize>, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "collected",
                ),
            ),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<Vec<usize>, Failure> = loop {};
                        return __returned;
                    }
                    {
                        let mut counts = Vec::new();
                        for word in words {
                            counts.push(probe.touch(word).await);
                        }
                        let counts = counts.into_iter().collect::<Result<_, _>>()?;
                        Ok(counts)
                    }
                }),
            ),
        )
        .await
}
