/// Exists under no condition.
#[cfg(any())]
async fn nowhere() -> Result<(), Failure> {
    ::unanimous::__private::run_unfenced_function(
            &const {
                ::unanimous::__private::ActionSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "nowhere",
                    ),
                    ::core::file!(),
                    0,
                )
            },
            ::unanimous::__private::record(),
            ::unanimous::__private::how(),
            async |__states| -> Result<(), Failure> {
                #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                if false {
                    let __returned: Result<(), Failure> = loop {};
                    return __returned;
                }
                {}
            },
        )
        .await
}
