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
