async fn generic<T, const N: usize>(
    probe: &Probe,
    items: [T; N],
) -> Result<[T; N], Failure>
where
    T: Display + Send,
{
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "generic",
                ),
            ),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<[T; N], Failure> = loop {};
                        return __returned;
                    }
                    {
                        for item in &items {
                            probe.touch(&item.to_string()).await?;
                        }
                        Ok(items)
                    }
                }),
            ),
        )
        .await
}

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

async fn patterns(
    probe: &Probe,
    (first, mut second): (&str, String),
    [_,
    third,
    ]: [u8; 2],
) -> Result<Box<dyn Display + Send>, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "patterns",
                ),
            ),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<Box<dyn Display + Send>, Failure> = loop {};
                        return __returned;
                    }
                    {
                        second.push_str(first);
                        probe.touch(&second).await?;
                        Ok(Box::new(third))
                    }
                }),
            ),
        )
        .await
}

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
