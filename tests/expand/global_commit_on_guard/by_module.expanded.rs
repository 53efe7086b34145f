async fn by_module(probe: &Probe, word: &'static str) -> Result<(), Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "by_module",
                ),
            ),
            ::unanimous::__private::how::<Result<(), Failure>>()
                .commit_on(
                    |__result| match __result {
                        ::core::result::Result::Err(
                            error,
                        ) if word::is_harmless(error) => true,
                        _ => false,
                    },
                    |__result| {
                        #[allow(unused_imports)]
                        use ::unanimous::__private::WithoutText as _;
                        ::unanimous::__private::Text(__result).text()
                    },
                ),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    {
                        probe.touch(word).await?;
                        Failure::business(word)
                    }
                }),
            ),
        )
        .await
}
