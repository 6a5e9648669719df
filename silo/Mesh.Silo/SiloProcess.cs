using System.Collections;
using System.Net;
using Mesh.Core.Clocks;
using Mesh.Hosting.Certificates;
using Mesh.Hosting.Files;
using Mesh.Hosting.Logging;
using Mesh.Hosting.Options;
using Mesh.Hosting.Processes;
using Mesh.Loops;
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
        PrivateFiles.Only();
        var executable = NodeExecutable.Find();
        if (ProcessLimits.Refusal() is { } few)
        {
            throw new StartRefusedException(few);
        }

        var made = FirstFiles.Before(options.DataDir);
        var data = DataDirectory.Open(options.DataDir);
        using var held = Lock(data, made);
        var isFirst = made.IsFirst(data.SiloLock);
        var phase = new StartPhase();
        try
        {
            return await RunAsync(options, data, executable, phase, environment, stop);
        }
        catch (Exception failure) when (!phase.IsOver)
        {
            if (isFirst)
            {
                made.TakeBack();
            }

            throw failure is DataDirectoryRefusedException refused ? new StartRefusedException(refused.Message, refused) : StartRefusedException.Of(failure);
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

    private static async Task<int> RunAsync(
        MeshOptions options, DataDirectory data, NodeExecutable executable, StartPhase phase, IDictionary environment, CancellationToken stop)
    {
        var time = TimeProvider.System;
        AtomicFile.WritePid(data.SiloPid);
        using var authority = ClusterAuthority.Open(data, WallClock.Now(time));
        var start = Prepare(options, data, authority, executable, phase, environment, time);
        using var output = new StandardErrorOutput();
        await using var app = SiloHost.Build(start, output);
        using var serving = new CancellationTokenSource();
        var supervisor = app.Services.GetRequiredService<NodeSupervisor>();
        // The node beside the silo, not after it: it needs the link only for what its journal does not hold.
        var node = app.Services.GetRequiredService<ProcessLoops>().RunAsync("supervisor of the node", supervisor.RunAsync, serving.Token);
        try
        {
            await app.StartAsync(CancellationToken.None);
            await app.Services.GetRequiredService<LinkServer>().StartAsync(CancellationToken.None);
            phase.End();
        }
        catch
        {
            await serving.CancelAsync();
            await node;
            supervisor.KillOwn();
            throw;
        }

        return await ServeAsync(app, start, node, serving, time, stop);
    }

    private static async Task<int> ServeAsync(
        WebApplication app, StartContext start, Task node, CancellationTokenSource serving, TimeProvider time, CancellationToken stop)
    {
        var supervisor = app.Services.GetRequiredService<NodeSupervisor>();
        var readiness = app.Services.GetRequiredService<NodeReadiness>();
        var looking = app.Services.GetRequiredService<ProcessLoops>().RunAsync("readiness of the node", readiness.RunAsync, serving.Token);

        await readiness.FirstReady.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!stop.IsCancellationRequested)
        {
            var command = new StartCommand(Environment.ProcessPath, Environment.GetCommandLineArgs(), start.Environment, Environment.CurrentDirectory);
            var block = new StartupBlock(start.Addresses, start.Options, start.Data, supervisor, command);
            Console.Write(start.TellsPeople ? block.AsText() : block.AsJson(WallClock.Now(time)));
        }

        // What is acknowledged must last: without its directory a silo has nowhere to keep it.
        var vanished = await DataDirectoryWatch.UntilVanishedAsync(start.Data.SiloLock, start.Data.SiloPid, time, stop);
        if (vanished)
        {
            await Console.Error.WriteLineAsync($"mesh-silo: the data directory {start.Data.FullPath} has vanished; mesh-silo ends");
        }

        // The node first: its drain still tells the grains which Pods end.
        using var limit = new CancellationTokenSource(DrainTime, time);
        await serving.CancelAsync();
        await Task.WhenAll(node, looking);
        await supervisor.StopNodeAsync(limit.Token);
        await app.Services.GetRequiredService<LinkServer>().StopAsync(limit.Token);
        await app.StopAsync(limit.Token);
        return vanished ? ExitCode.Failed : ExitCode.Done;
    }

    private static DataDirectoryLock Lock(DataDirectory data, FirstFiles made)
    {
        try
        {
            return DataDirectoryLock.Acquire(data.FullPath);
        }
        catch (DataDirectoryRefusedException refused)
        {
            made.RemoveDirectories();
            throw new StartRefusedException($"--data-dir: {refused.Message}", refused);
        }
    }

    private static StartContext Prepare(
        MeshOptions options, DataDirectory data, ClusterAuthority authority, NodeExecutable executable, StartPhase phase, IDictionary environment, TimeProvider time)
    {
        var ownNode = RunningProcess.Find(data.NodeLock, data.NodePid)?.Pid;
        var addresses = SiloAddresses.Choose(options, data, ownNode, new Random());
        string[] names =
        [
            "localhost", options.NodeName, "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + options.ClusterDomain,
        ];
        IPAddress[] own = [IPAddress.Loopback, IPAddress.IPv6Loopback, options.Advertise, .. addresses.Api.EndPoints().Select(endPoint => endPoint.Address)];
        var certificate = new ServingCertificate(now => authority.IssueServer("mesh-api", names, own, now), time);
        string[] ingressNames = ["localhost", options.NodeName];
        IPAddress[] ingressOwn = [IPAddress.Loopback, IPAddress.IPv6Loopback, options.Advertise, .. addresses.IngressHttps.EndPoints().Select(endPoint => endPoint.Address)];
        var ingress = new IngressCertificate(new ServingCertificate(now => authority.IssueServer("mesh-ingress", ingressNames, ingressOwn, now), time));
        var token = AdminAccess.Token(data);
        var server = addresses.Api.IsAny ? new IPEndPoint(IPAddress.Loopback, addresses.Api.Port) : new IPEndPoint(addresses.Api.Address, addresses.Api.Port);
        AdminAccess.WriteKubeconfig(data, $"https://{server}", authority.CertificatePem, token);
        return new StartContext(options, data, addresses, certificate, ingress, token, executable, phase, environment);
    }
}
