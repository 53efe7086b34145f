impl Lent {
    async fn record(
        &self,
        text: &str,
        bytes: &[u8],
        map: &BTreeMap<String, u8>,
        path: &Path,
    ) -> Result<(), Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "record",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record()
                    .put("text", &text)
                    .put("bytes", &bytes)
                    .put("map", &map)
                    .put("path", &path),
                ::unanimous::__private::how(),
                async || -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    {
                        self.journal.tried(text);
                        assert_eq!(
                            (bytes, map.len(), path),
                            (&[1, 2][..], 1, Path::new("a/b")),
                        );
                        Ok(())
                    }
                },
            )
            .await
    }
}
