async fn purchase(probe: &Probe, user: &str, sold_out: bool) -> Result<usize, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "purchase",
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
                        let touched = probe.touch(user).await?;
                        if sold_out {
                            return Failure::business("sold out");
                        }
                        Ok(touched)
                    }
                }),
            ),
        )
        .await
}
