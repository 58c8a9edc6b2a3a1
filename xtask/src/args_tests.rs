use super::*;

fn parsed(line: &str) -> Result<Command> {
    parse(line.split_whitespace().map(str::to_owned))
}

fn refusal(line: &str) -> String {
    parsed(line).unwrap_err().to_string()
}

#[test]
fn dev_has_defaults_for_everything() {
    assert_eq!(parsed("dev").unwrap(), Command::Dev(DevOptions::default()));
}

#[test]
fn a_value_may_follow_its_option_or_an_equals_sign() {
    let expected = DevOptions {
        runtime: Runtime::Deno,
        ports_from: Some(9000),
        data: Some("/d".into()),
        fresh: true,
        no_build: true,
        ..DevOptions::default()
    };
    let line = "dev --runtime deno --ports-from=9000 --data /d --fresh --no-build";
    assert_eq!(parsed(line).unwrap(), Command::Dev(expected));
}

#[test]
fn production_is_deployed_only_by_its_name() {
    let options = |environment, dry_run| {
        Command::Deploy(DeployOptions {
            target: DeployTarget::Cloudflare,
            environment,
            env_file: None,
            dry_run,
        })
    };
    assert_eq!(parsed("deploy cloudflare").unwrap(), options(Environment::Staging, false));
    let line = "deploy cloudflare --env production --dry-run";
    assert_eq!(parsed(line).unwrap(), options(Environment::Production, true));
}

#[test]
fn a_relative_path_is_meant_from_where_the_command_was_given() {
    let Command::Dev(options) = parsed("dev --ready-file ready.json").unwrap() else { panic!() };
    assert_eq!(options.ready_file.unwrap(), std::env::current_dir().unwrap().join("ready.json"));
}

#[test]
fn what_makes_no_sense_is_named() {
    assert!(refusal("undeploy").contains("`undeploy`"));
    assert!(refusal("deploy").contains("cloudflare or supabase"));
    assert!(refusal("deploy vercel").contains("vercel"));
    assert!(refusal("deploy supabase --env=live").contains("live"));
    assert!(refusal("deploy supabase --force").contains("`--force`"));
    assert!(refusal("dev --port 1").contains("`--port`"));
    assert!(refusal("dev --fresh=yes").contains("`--fresh`"));
    assert!(refusal("dev --runtime bun").contains("bun"));
    assert!(refusal("dev --ports-from 70000").contains("70000"));
    assert!(refusal("dev --ports-from").contains("needs a value"));
    assert!(refusal("build --release").contains("`--release`"));
    assert!(refusal("bench --scale huge").contains("huge"));
    assert!(refusal("bench --only speed").contains("`speed`"));
    assert!(refusal("function-token --key k").contains("--role"));
    assert!(refusal("function-token --role fn_ai").contains("--key"));
    assert!(refusal("function-token --role fn_ai --key k --days 0").contains("--days 0"));
    assert!(refusal("check-llm --ready-file a").contains("`--ready-file`"));
    assert!(refusal("reconcile-billing --apply=no").contains("`--apply`"));
    assert!(refusal("reconcile-billing --env-file a --ready-file b").contains("not both"));
    assert!(refusal("test --only formatting").contains("`formatting`"));
}

#[test]
fn help_is_given_wherever_it_is_asked_for() {
    for line in ["", "help", "--help", "dev --help", "test -h"] {
        assert_eq!(parsed(line).unwrap(), Command::Help, "{line}");
    }
}

#[test]
fn parts_of_the_bench_can_be_chosen_and_help_names_them() {
    for part in PARTS {
        assert!(HELP.contains(part), "{part}");
    }
    let expected = BenchOptions {
        only: vec!["database".into(), "stripe-webhook".into()],
        record: true,
        ..BenchOptions::default()
    };
    assert_eq!(parsed("bench --only database,stripe-webhook --record").unwrap(), Command::Bench(expected));
}

#[test]
fn several_stages_can_be_chosen() {
    let expected = TestOptions { only: vec!["format".into(), "build".into()], ..TestOptions::default() };
    assert_eq!(parsed("test --only format,build").unwrap(), Command::Test(expected));
}

#[test]
fn the_tests_have_three_tiers() {
    let tier = |line| match parsed(line).unwrap() {
        Command::Test(options) => options.tier,
        other => panic!("{other:?}"),
    };
    assert_eq!([tier("check"), tier("test"), tier("test --full")], [Tier::Check, Tier::Test, Tier::Full]);
    assert!(refusal("check --full").contains("--full"));
}
