//! The same for the example's messages: clients and servers in one file.

use std::{fs, path::Path};

use expect_test::expect_file;

const PROTO: &str = "shop/v1/shop.proto";

#[test]
fn the_messages_of_the_shop_are_those_of_its_definition() {
    let definitions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop/proto/proto");
    let descriptors =
        protox::compile([PROTO], [definitions]).expect("the shop's definition compiles");
    let folder = tempfile::tempdir().expect("a folder can be made");
    tonic_prost_build::configure()
        .build_transport(false)
        .generate_default_stubs(false)
        .emit_rerun_if_changed(false)
        .out_dir(folder.path())
        .compile_fds(descriptors)
        .expect("code can be generated");
    let generated =
        fs::read_to_string(folder.path().join("shop.v1.rs")).expect("the file can be read");
    expect_file!["../../../examples/shop/proto/src/generated/shop.v1.rs"].assert_eq(&generated);
}
