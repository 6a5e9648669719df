using System.Collections;
using System.Net;
using Mesh.Hosting.Certificates;
using Mesh.Hosting.Files;
using Mesh.Hosting.Logging;
using Mesh.Hosting.Options;
using Mesh.Hosting.Processes;
using Mesh.NodeLink.SiloEnd;
using Mesh.Silo.Certificates;
using Mesh.Silo.Nodes;
using Mesh.Silo.Starting;
using Mesh.Storage;

namespace Mesh.Silo;

/// <summary>One run of mesh-silo, from top to bottom: what is checked, started, served and stopped, in that order.</summary>
internal static class SiloProcess
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync(MeshOptions options, IDictionary environment, CancellationToken stop)
    {
        var time = TimeProvider.System;
        var data = DataDirectory.Open(options.DataDir);
        using var held = Lock(data);
        AtomicFile.WritePid(data.SiloPid);
        try
        {
            using var authority = ClusterAuthority.Open(data, time.GetUtcNow());
            var start = Prepare(options, data, authority, environment, time);
            using var output = new StandardErrorOutput();
            await using var app = SiloHost.Build(start, output);
            return await ServeAsync(app, start, time, stop);
        }
        finally
        {
            // Also when the start was refused. The directory may be gone by now, and that is no failure of the end.
            if (AtomicFile.ReadPid(data.SiloPid) == Environment.ProcessId)
            {
                File.Delete(data.SiloPid);
            }
        }
    }

    private static async Task<int> ServeAsync(WebApplication app, StartContext start, TimeProvider time, CancellationToken stop)
    {
        var supervisor = app.Services.GetRequiredService<NodeSupervisor>();
        var links = app.Services.GetRequiredService<LinkServer>();
        var readiness = app.Services.GetRequiredService<NodeReadiness>();
        using var serving = new CancellationTokenSource();

        // The node beside the silo, not after it: it needs the link only for what its journal does not hold.
        var node = supervisor.RunAsync(serving.Token);
        await app.StartAsync(CancellationToken.None);
        await links.StartAsync(CancellationToken.None);
        var looking = readiness.RunAsync(serving.Token);

        await readiness.FirstReady.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!stop.IsCancellationRequested)
        {
            Console.Write(StartupBlock.For(start.Addresses, start.Data, supervisor, Environment.GetCommandLineArgs()));
        }

        // What is acknowledged must last: without its directory a silo has nowhere to keep it.
        var vanished = await DataDirectoryWatch.UntilVanishedAsync(start.Data.SiloPid, time, stop);
        if (vanished)
        {
            await Console.Error.WriteLineAsync($"mesh-silo: the data directory {start.Data.FullPath} has vanished; mesh-silo ends");
        }

        // The node first: its drain still tells the grains which Pods end.
        using var limit = new CancellationTokenSource(DrainTime, time);
        await serving.CancelAsync();
        await Task.WhenAll(node, looking);
        await supervisor.StopNodeAsync(limit.Token);
        await links.StopAsync(limit.Token);
        await app.StopAsync(limit.Token);
        return vanished ? ExitCode.Failed : ExitCode.Done;
    }

    private static DataDirectoryLock Lock(DataDirectory data)
    {
        try
        {
            return DataDirectoryLock.Acquire(data.FullPath);
        }
        catch (DataDirectoryRefusedException refused)
        {
            throw new StartRefusedException($"--data-dir: {refused.Message}", refused);
        }
    }

    private static StartContext Prepare(MeshOptions options, DataDirectory data, ClusterAuthority authority, IDictionary environment, TimeProvider time)
    {
        var ownNode = RunningProcess.Find(data.NodeLock, data.NodePid)?.Pid;
        var addresses = SiloAddresses.Choose(options, data, ownNode, new Random());
        string[] names =
        [
            "localhost", options.NodeName, "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + options.ClusterDomain,
        ];
        IPAddress[] own = [IPAddress.Loopback, IPAddress.IPv6Loopback, options.Advertise, .. addresses.Api.EndPoints().Select(endPoint => endPoint.Address)];
        var certificate = new ServingCertificate(now => authority.IssueServer(names, own, now), time);
        var token = AdminAccess.Token(data);
        var server = addresses.Api.IsAny ? new IPEndPoint(IPAddress.Loopback, addresses.Api.Port) : new IPEndPoint(addresses.Api.Address, addresses.Api.Port);
        AdminAccess.WriteKubeconfig(data, $"https://{server}", authority.CertificatePem, token);
        return new StartContext(options, data, addresses, certificate, token, NodeExecutable.Find(), environment);
    }
}
