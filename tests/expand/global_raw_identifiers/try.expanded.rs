async fn r#try(
    r#type: &Probe,
    __returned: &str,
    __error: &str,
) -> Result<usize, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "try",
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
                        let r#match = r#type.touch(__returned).await?;
                        Ok(r#match + __error.len())
                    }
                }),
            ),
        )
        .await
}
