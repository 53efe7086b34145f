async fn purchase(probe: &Probe) -> Result<(), String> {
    crate::renamed::crate_must_name_the_crate_unanimous::run_global(
            crate::renamed::crate_must_name_the_crate_unanimous::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "purchase",
                    ),
                )
                .propagation(
                    crate::renamed::crate_must_name_the_crate_unanimous::Propagation::RequiresNew,
                ),
            crate::renamed::crate_must_name_the_crate_unanimous::how_mapped::<
                Result<(), String>,
            >(|__error| {
                    ::core::result::Result::Err(__error)
                        .map_err(|error| error.to_string())
                })
                .commit_on(
                    |__result| match __result {
                        ::core::result::Result::Err(_) => true,
                        _ => false,
                    },
                    |__result| {
                        #[allow(unused_imports)]
                        use crate::renamed::crate_must_name_the_crate_unanimous::WithoutText as _;
                        crate::renamed::crate_must_name_the_crate_unanimous::Text(
                                __result,
                            )
                            .text()
                    },
                ),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), String> = loop {};
                        return __returned;
                    }
                    {
                        probe.touch("renamed").await.map_err(|error| error.to_string())?;
                        Err("commits all the same".to_owned())
                    }
                }),
            ),
        )
        .await
}
