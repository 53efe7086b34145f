async fn take(count: u32) -> Result<u32, String> {
    ::unanimous::__private::run_unfenced_function(
            &const {
                ::unanimous::__private::ActionSpec::new(
                    "shelf.take",
                    ::core::file!(),
                    0,
                )
            },
            ::unanimous::__private::record().put("count", &count),
            ::unanimous::__private::how_mapped::<
                Result<u32, String>,
            >(|__error| {
                ::core::result::Result::Err(__error).map_err(|error| error.to_string())
            }),
            async |__states| -> Result<u32, String> {
                #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                if false {
                    let __returned: Result<u32, String> = loop {};
                    return __returned;
                }
                #[allow(unused_variables)]
                let journal: &Journal = __states.get();
                {
                    let branch = BranchContext::current().ok_or("no branch")?;
                    journal.tried(branch.action());
                    if count > 5 {
                        return Err("too many".to_owned());
                    }
                    journal.confirmed(branch.action());
                    Ok(count)
                }
            },
        )
        .await
}
