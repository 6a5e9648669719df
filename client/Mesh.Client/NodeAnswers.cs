using System.Net.Sockets;
using System.Security.Cryptography;

namespace Mesh.Client;

/// <summary>
/// Tells the node that this process still does anything: whoever connects gets one byte, sent by the thread pool that the
/// application's own work goes through, so a process that is stopped, or whose pool is stuck, is silent. The socket is abstract
/// (unix(7)): it is no port and no file, no Service reaches it, and it ends with the process.
/// </summary>
internal sealed class NodeAnswers : IDisposable
{
    private const string Prefix = "\0mesh-answers-";
    private const int NameLength = 32;

    /// <summary>The node asks one at a time; those of a process that was stopped wait here, and the next are turned away.</summary>
    private const int Waiting = 8;

    private static readonly byte[] Answer = [1];

    private readonly Socket? _socket;

    /// <summary>Nobody can know its name, and be there first.</summary>
    public NodeAnswers()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var name = RandomNumberGenerator.GetHexString(NameLength, lowercase: true);
        try
        {
            _socket = Listen(name);
            Name = name;
        }
        catch (SocketException)
        {
            // No descriptor is left, or a sandbox allows none of its kind: the application goes on as without.
        }
    }

    /// <summary>What the node is told; null where there is no such socket: then it does not ask.</summary>
    public string? Name { get; }

    public async Task RunAsync(CancellationToken stop)
    {
        while (_socket is not null)
        {
            using var node = await _socket.AcceptAsync(stop);
            await Task.Yield(); // wherever sockets are completed, it is the pool that answers
            try
            {
                await node.SendAsync(Answer, stop);
            }
            catch (SocketException)
            {
                // It waited long enough, and has gone.
            }
        }
    }

    public void Dispose() => _socket?.Dispose();

    private static Socket Listen(string name)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(Prefix + name));
            socket.Listen(Waiting);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
