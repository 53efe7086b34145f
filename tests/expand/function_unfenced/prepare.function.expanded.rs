async fn prepare(to: String, pages: u32) -> Result<u32, Failure> {
    ::unanimous::__private::run_unfenced_function(
            &const {
                ::unanimous::__private::ActionSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "prepare",
                    ),
                    ::core::file!(),
                    0,
                )
            },
            ::unanimous::__private::record().put("to", &to).put("pages", &pages),
            ::unanimous::__private::how_tried(),
            async |__states| -> Result<u32, Failure> {
                #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                if false {
                    let __returned: Result<u32, Failure> = loop {};
                    return __returned;
                }
                #[allow(unused_variables)]
                let journal: &Arc<Journal> = __states.get();
                {
                    journal.tried(&to);
                    if pages > 9 { Failure::business("too long") } else { Ok(pages) }
                }
            },
        )
        .await
}
