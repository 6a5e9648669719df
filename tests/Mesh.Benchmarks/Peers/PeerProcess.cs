using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Mesh.Testing.Processes;

namespace Mesh.Benchmarks.Peers;

/// <summary>A program to compare with, in a process of its own.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(5);

    private readonly ProcessUnderTest _process;
    private readonly string? _directory;

    private PeerProcess(ProcessUnderTest process, int port, string? directory)
    {
        _process = process;
        Port = port;
        _directory = directory;
    }

    public int Pid => _process.Pid;

    public int Port { get; }

    public IPEndPoint Endpoint => new(IPAddress.Loopback, Port);

    /// <summary>This program in one of its other roles, which tells its port when it serves.</summary>
    public static async Task<PeerProcess> StartOwnAsync(CancellationToken stop, params string[] role)
    {
        var process = Start(Environment.ProcessPath!, role);
        await UntilAsync(string.Join(' ', role), process, () => process.Output.Contains('\n', StringComparison.Ordinal), stop);
        return new PeerProcess(process, int.Parse(process.Output.Split('\n')[0], CultureInfo.InvariantCulture), null);
    }

    /// <summary>A program of the system with a configuration that names its port; null when it is not installed.</summary>
    public static async Task<PeerProcess?> StartInstalledAsync(
        string program, Func<string, string[]> arguments, Func<int, string> configuration, CancellationToken stop)
    {
        if (Find(program) is not { } path)
        {
            return null;
        }

        var directory = Directory.CreateTempSubdirectory("mesh-benchmarks-").FullName;
        var port = FreePort();
        var file = Path.Combine(directory, program + ".conf");
        await File.WriteAllTextAsync(file, configuration(port), stop);
        var process = Start(path, arguments(file));
        await UntilAsync(program, process, () => Accepts(port), stop);
        return new PeerProcess(process, port, directory);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        if (_directory is not null)
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    /// <summary>
    /// In a session of its own, as mesh-node is: Linux shares processors out between sessions (sched_autogroup_enabled,
    /// sched(7)), so a peer in the session of the load is woken later, finds more work at once, and seems to need less.
    /// </summary>
    private static ProcessUnderTest Start(string program, IEnumerable<string> arguments) =>
        ProcessUnderTest.Start("setsid", [program, .. arguments]);

    private static async Task UntilAsync(string what, ProcessUnderTest process, Func<bool> isUp, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(StartTime);
        using var tick = new PeriodicTimer(LookEvery);
        while (!isUp())
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException($"{what} ended: {process.Output}{process.Errors}");
            }

            await tick.WaitForNextTickAsync(limit.Token);
        }
    }

    private static string? Find(string program) =>
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/usr/local/sbin".Split(':')
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static bool Accepts(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
