async fn by_field(probe: &Probe, word: &'static str) -> Result<(), Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "by_field",
                ),
            ),
            ::unanimous::__private::how::<Result<(), Failure>>()
                .commit_on(
                    |__result| match __result {
                        ::core::result::Result::Err(
                            error,
                        ) if Key { word: true }
                            == (Key { word: error.is_harmless() }) => true,
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
