async fn write(word: &str) -> Result<(), Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "write",
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
                        note("first").await?;
                        remark(word).await
                    }
                }),
            ),
        )
        .await
}
