async fn take(
    sku: &str,
    items: &[Item],
    note: Option<&str>,
    first: Option<&Item>,
    label: Cow<'_, str>,
    mut r#type: u8,
    log: &mut Vec<String>,
    (_row, _column): (u8, u8),
) -> Result<usize, Failure> {
    ::unanimous::__private::run_unfenced_function(
            &const {
                ::unanimous::__private::ActionSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "take",
                    ),
                    ::core::file!(),
                    0,
                )
            },
            ::unanimous::__private::record()
                .put("sku", &sku)
                .put("items", &items)
                .put("note", &note)
                .put("first", &first)
                .put("label", &label)
                .put("type", &r#type),
            ::unanimous::__private::how(),
            async |__states| -> Result<usize, Failure> {
                #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                if false {
                    let __returned: Result<usize, Failure> = loop {};
                    return __returned;
                }
                #[allow(unused_variables)]
                let journal: &Journal = __states.get();
                {
                    r#type += 1;
                    log.push(format!("{sku} {note:?} {label} {type}"));
                    journal.tried(sku);
                    assert!(first.is_some());
                    if items.is_empty() {
                        Failure::business("nothing")
                    } else {
                        Ok(items.len())
                    }
                }
            },
        )
        .await
}
