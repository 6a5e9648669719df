using Mesh.Hosting.Processes;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Starting;

/// <summary>What cannot be done is said in one line, with exit code 2, before anything is made or listens.</summary>
public sealed class BadOptionTests : IDisposable
{
    private readonly string _dataDir = Path.Combine(TestDirectory.Make("mesh-test-"), "data");

    [Theory(Timeout = 180_000)]
    [InlineData("--api-listen needs a value", "--api-listen")]
    [InlineData("unknown option --api-lissten", "--api-lissten", "127.0.0.1:1")]
    [InlineData("did you mean --api-listen?", "--api", "127.0.0.1:1")]
    [InlineData("--api-listen is given twice", "--api-listen", "127.0.0.1:1", "--api-listen", "127.0.0.1:2")]
    [InlineData("unexpected argument 'start'", "start")]
    [InlineData("--api-listen 'localhost' is not an IP address and a port", "--api-listen", "localhost")]
    [InlineData("--api-listen '127.0.0.1:70000'", "--api-listen", "127.0.0.1:70000")]
    [InlineData("--store postgres://***@h/d: not in this version", "--store", "postgres://u:p@h/d")]
    [InlineData("--store 'Host=h;Password=***' is not sqlite", "--store", "Host=h;Password=p")]
    [InlineData("unexpected argument 'postgres://***@h/d'", "postgres://u:p@h/d")]
    [InlineData("--store 'mysql' is not sqlite", "--store", "mysql")]
    [InlineData("--node external: not in this version", "--node", "external")]
    [InlineData("--link-listen: not in this version", "--link-listen", "0.0.0.0:6482")]
    [InlineData("--nodeport-range '32767-30000' is not a range of ports", "--nodeport-range", "32767-30000")]
    [InlineData("--loadbalancer-pool 10.0.0.0/16 holds more than 4096 addresses", "--loadbalancer-pool", "10.0.0.0/16")]
    [InlineData("--service-cidr 10.96.0.0/16: not in this version", "--service-cidr", "10.96.0.0/16")]
    [InlineData("--service-cidr '127.96.0.0/30'", "--service-cidr", "127.96.0.0/30")]
    [InlineData("overlap", "--service-cidr", "127.80.0.0/12")]
    [InlineData("--silo-port 30000 lies inside the NodePort range", "--silo-port", "30000")]
    [InlineData("both ask for port 6443", "--node-listen", "127.0.0.1:6443")]
    [InlineData("lies inside --service-cidr", "--dns-listen", "127.96.0.10:53")]
    [InlineData("--node-name 'Not.A_Name'", "--node-name", "Not.A_Name")]
    [InlineData("--cluster-domain 'Cluster'", "--cluster-domain", "Cluster")]
    [InlineData("--log-level 'loud'", "--log-level", "loud")]
    [InlineData("--register-uids '1000,bob'", "--register-uids", "1000,bob")]
    [InlineData("--trace-control-plane 'yes' is not none, requests or all", "--trace-control-plane", "yes")]
    [InlineData("--config /nowhere.yaml", "--config", "/nowhere.yaml")]
    public async Task A_bad_option_is_one_line_and_exit_code_2(string line, params string[] arguments)
    {
        await using var silo = ProcessUnderTest.Start(BuiltProgram.Silo, ["--data-dir", _dataDir, .. arguments]);

        var (code, output, errors) = await silo.RunToEndAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2, code);
        Assert.Equal("", output);
        Assert.Contains(line, Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_dataDir));
    }

    [Fact(Timeout = 180_000)]
    public async Task The_environment_is_read_and_the_command_line_wins()
    {
        var environment = new Dictionary<string, string> { ["MESH_LOG_LEVEL"] = "loud", ["MESH_DATA_DIR"] = _dataDir };
        await using var refused = ProcessUnderTest.Start(BuiltProgram.Silo, [], environment);
        Assert.Contains("MESH_LOG_LEVEL 'loud'", (await refused.RunToEndAsync(TestContext.Current.CancellationToken)).Errors, StringComparison.Ordinal);

        await using var next = ProcessUnderTest.Start(BuiltProgram.Silo, ["--log-level", "info", "--store", "mysql"], environment);
        Assert.Contains("--store 'mysql'", (await next.RunToEndAsync(TestContext.Current.CancellationToken)).Errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_file_is_read_and_an_unknown_key_in_it_is_refused()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "register-uids: [1000, bob]\n", TestContext.Current.CancellationToken);
            await using var refused = ProcessUnderTest.Start(BuiltProgram.Silo, ["--config", file]);
            Assert.Contains($"'register-uids' in {file} '1000,bob'", (await refused.RunToEndAsync(TestContext.Current.CancellationToken)).Errors, StringComparison.Ordinal);

            await File.WriteAllTextAsync(file, "data_dir: /tmp\n", TestContext.Current.CancellationToken);
            await using var unknown = ProcessUnderTest.Start(BuiltProgram.Silo, ["--config", file]);
            Assert.Contains("unknown option 'data_dir'; did you mean --data-dir?", (await unknown.RunToEndAsync(TestContext.Current.CancellationToken)).Errors, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory(Timeout = 180_000)]
    [InlineData("--help", "--service-cidr CIDR")]
    [InlineData("--version", "mesh-silo 0.")]
    public async Task Help_and_version_are_printed_with_exit_code_0(string option, string line)
    {
        await using var silo = ProcessUnderTest.Start(BuiltProgram.Silo, [option]);

        var (code, output, _) = await silo.RunToEndAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, code);
        Assert.Contains(line, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mesh-silo")]
    [InlineData("mesh-node")]
    public void Anything_but_Linux_is_refused_in_one_line(string program)
    {
        Assert.Equal($"{program}: Mesh runs on Linux only", Platform.Refuse(program, isLinux: false));
        Assert.Null(Platform.Refuse(program, isLinux: true));
    }

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_dataDir)!, recursive: true);
}
