using System.Net;
using System.Net.Sockets;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Starting;

/// <summary>Ports and directories belong to one: a second one is refused at once, and told who has it.</summary>
public sealed class TakenTests
{
    [Theory(Timeout = 180_000)]
    [InlineData("--api-listen", "127.0.0.1:")]
    [InlineData("--node-listen", "127.0.0.1:")]
    [InlineData("--ingress-http", "0.0.0.0:")]
    [InlineData("--ingress-https", "0.0.0.0:")]
    [InlineData("--dns-listen", "127.0.0.1:")]
    [InlineData("--silo-port", "")]
    public async Task A_taken_port_names_its_option_and_its_holder(string option, string address)
    {
        await using var machine = SiloUnderTest.Prepare();
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;
        // A port that the kernel chose may lie among the NodePorts, which --silo-port refuses for another reason.
        Assert.SkipWhen(option == "--silo-port" && port is >= 30000 and <= 32767, "the kernel chose a NodePort");

        await using var silo = ProcessUnderTest.Start(BuiltProgram.Silo, ["--data-dir", machine.DataDir, .. Ports(option), option, address + port]);
        var (code, _, errors) = await silo.RunToEndAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2, code);
        Assert.Contains($"{option} 127.0.0.1:{port} is taken by ", errors, StringComparison.Ordinal);
        Assert.Contains($"(pid {Environment.ProcessId})", errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
        Assert.False(File.Exists(Path.Combine(machine.DataDir, "node.pid")));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_second_silo_on_the_directory_is_refused()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        var node = machine.NodePid;

        await using var second = ProcessUnderTest.Start(BuiltProgram.Silo, ["--data-dir", machine.DataDir, .. Ports("")]);
        var (code, output, errors) = await second.RunToEndAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2, code);
        Assert.Equal("", output);
        Assert.Contains(machine.Process.Pid.ToString(System.Globalization.CultureInfo.InvariantCulture), errors, StringComparison.Ordinal);
        Assert.Equal(node, machine.NodePid);
        Assert.Equal(machine.Process.Pid, machine.SiloPid);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_second_node_on_the_directory_is_refused()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        var program = Path.Combine(Path.GetDirectoryName(BuiltProgram.Silo)!, "node", "mesh-node");

        await using var second = ProcessUnderTest.Start(program, ["--data-dir", machine.DataDir]);
        var (code, _, errors) = await second.RunToEndAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2, code);
        Assert.Contains($"is used by another mesh-node (pid {machine.NodePid})", errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_directory_that_cannot_be_made_is_refused()
    {
        var file = Path.Combine(TestDirectory.Make("mesh-file-"), "file");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);
        await using var silo = ProcessUnderTest.Start(BuiltProgram.Silo, ["--data-dir", Path.Combine(file, "data"), .. Ports("")]);

        var (code, _, errors) = await silo.RunToEndAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2, code);
        Assert.Contains("--data-dir", errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_directory_where_nothing_can_be_written_is_refused()
    {
        // Not even root may make anything there.
        await using var silo = ProcessUnderTest.Start(BuiltProgram.Silo, ["--data-dir", "/proc/self/fdinfo", .. Ports("")]);

        var (code, output, errors) = await silo.RunToEndAsync(TestContext.Current.CancellationToken);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains("--data-dir", Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    /// <summary>Free ports for every option but one.</summary>
    private static IEnumerable<string> Ports(string but) =>
        new (string Option, string Value)[]
        {
            ("--api-listen", "127.0.0.1:0"), ("--node-listen", "127.0.0.1:0"), ("--ingress-http", "127.0.0.1:0"), ("--ingress-https", "127.0.0.1:0"), ("--dns-listen", "127.0.0.1:0"), ("--silo-port", "0"),
        }
        .Where(pair => pair.Option != but)
        .SelectMany(pair => new[] { pair.Option, pair.Value });
}
