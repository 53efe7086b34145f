impl Tickets {
    async fn book(&self, seats: Vec<u8>) -> Answer<Vec<u8>> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "book",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record().put("seats", &seats),
                ::unanimous::__private::how_tried(),
                async || -> Answer<Vec<u8>> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Answer<Vec<u8>> = loop {};
                        return __returned;
                    }
                    {
                        self.journal.tried(seats.len());
                        if seats.is_empty() {
                            Failure::business("nothing to book")
                        } else {
                            Ok(seats)
                        }
                    }
                },
            )
            .await
    }
}
