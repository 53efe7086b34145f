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
