async fn purchase(
    runtime: &Runtime,
    probe: &Probe,
    word: &'static str,
) -> Result<(), Failure> {
    ::unanimous::crate_must_name_the_crate_unanimous::run_global(
            ::unanimous::crate_must_name_the_crate_unanimous::GlobalSpec::new(
                    "everything",
                )
                .timeout_ms(120000)
                .settle_ms(5000)
                .propagation(
                    ::unanimous::crate_must_name_the_crate_unanimous::Propagation::RequiresNew,
                )
                .runtime(&runtime),
            ::unanimous::crate_must_name_the_crate_unanimous::how_mapped::<
                Result<(), Failure>,
            >(|__error| ::core::result::Result::Err(Failure::Transaction(__error)))
                .commit_on(
                    |__result| match __result {
                        ::core::result::Result::Err(
                            Failure::Business(word),
                        ) if word.is_empty() => true,
                        _ => false,
                    },
                    |__result| {
                        #[allow(unused_imports)]
                        use ::unanimous::crate_must_name_the_crate_unanimous::WithoutText as _;
                        ::unanimous::crate_must_name_the_crate_unanimous::Text(__result)
                            .text()
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
                        probe.touch("everything").await?;
                        Failure::business(word)
                    }
                }),
            ),
        )
        .await
}
