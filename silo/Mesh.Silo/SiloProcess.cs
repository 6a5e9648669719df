using System.Collections;
using System.Net;
using Mesh.Hosting.Files;
using Mesh.Hosting.Logging;
using Mesh.Hosting.Options;
using Mesh.Hosting.Processes;
using Mesh.Silo.Certificates;
using Mesh.Silo.Nodes;
using Mesh.Silo.Starting;

namespace Mesh.Silo;

/// <summary>One run of mesh-silo, from top to bottom: what is checked, started, served and stopped, in that order.</summary>
internal static class SiloProcess
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync(MeshOptions options, IDictionary environment, CancellationToken stop)
    {
        var time = TimeProvider.System;
        var data = DataDirectory.Open(options.DataDir);
        using var held = ProcessLock.TryTake(data.SiloLock)
            ?? throw new StartRefusedException($"--data-dir {data.FullPath} is used by another mesh-silo (pid {AtomicFile.ReadPid(data.SiloPid)})");
        AtomicFile.WritePid(data.SiloPid);

        var start = Prepare(options, data, environment, time);
        var executable = NodeExecutable.Find();
        using var output = new StandardErrorOutput();
        await using var app = SiloHost.Build(start, output);
        await app.StartAsync(stop);

        var supervisor = new NodeSupervisor(data, executable, time, app.Services.GetRequiredService<ILogger<NodeSupervisor>>());
        using var supervising = new CancellationTokenSource();
        var node = supervisor.RunAsync(supervising.Token);
        Console.Write(StartupBlock.For(start.Addresses, data, supervisor.Pid ?? 0, supervisor.TookOver, StartupBlock.CommandLine(Environment.GetCommandLineArgs())));

        await Task.Delay(Timeout.InfiniteTimeSpan, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // The node first: its drain still tells the grains which Pods end.
        using var limit = new CancellationTokenSource(DrainTime, time);
        await supervising.CancelAsync();
        await node;
        await supervisor.StopNodeAsync(limit.Token);
        await app.StopAsync(limit.Token);
        File.Delete(data.SiloPid);
        return ExitCode.Done;
    }

    private static StartContext Prepare(MeshOptions options, DataDirectory data, IDictionary environment, TimeProvider time)
    {
        var ownNode = RunningProcess.Find(data.NodeLock, data.NodePid)?.Pid;
        var addresses = SiloAddresses.Choose(options, data, ownNode, new Random());
        using var authority = ClusterAuthority.Open(data, time.GetUtcNow());
        var certificate = authority.IssueServer(
            ["localhost", options.NodeName, "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + options.ClusterDomain],
            [IPAddress.Loopback, IPAddress.IPv6Loopback, options.Advertise, .. addresses.Api.EndPoints().Select(endPoint => endPoint.Address)],
            time.GetUtcNow());
        var token = AdminAccess.Token(data);
        var server = addresses.Api.IsAny ? new IPEndPoint(IPAddress.Loopback, addresses.Api.Port) : new IPEndPoint(addresses.Api.Address, addresses.Api.Port);
        AdminAccess.WriteKubeconfig(data, $"https://{server}", authority.CertificatePem, token);
        return new StartContext(options, data, addresses, certificate, token, environment);
    }
}
