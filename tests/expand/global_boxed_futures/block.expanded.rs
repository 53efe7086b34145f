#[allow(clippy::manual_async_fn)]
fn block<'a>(
    probe: &'a Probe,
    word: &'a str,
) -> impl Future<Output = Result<usize, Failure>> + 'a {
    async move {
        ::unanimous::__private::run_global(
                ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "block",
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
                            let count = probe.touch(word).await?;
                            if count > 5 { Failure::business("long") } else { Ok(count) }
                        }
                    }),
                ),
            )
            .await
    }
}
