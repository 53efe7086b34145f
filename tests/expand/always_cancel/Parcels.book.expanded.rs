impl Parcels {
    async fn book(&self, city: &str) -> Result<u32, Failure> {
        ::unanimous::__private::run_fenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                            "book",
                            ::core::file!(),
                            0,
                        )
                        .always_cancel()
                },
                self,
                ::unanimous::__private::fence_of({ &self.db }),
                ::unanimous::__private::record().put("city", &city),
                ::unanimous::__private::how_fenced(),
                async |__lent| -> Result<u32, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u32, Failure> = loop {};
                        return __returned;
                    }
                    let tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        self.journal.tried(city);
                        query("UPDATE account SET balance = 0").execute(&mut *tx).await?;
                        if city == "Nowhere" {
                            Failure::business("no such city")
                        } else {
                            Ok(7)
                        }
                    }
                },
            )
            .await
    }
}
