using System.Net.Sockets;
using Mesh.Core.Names;

namespace Mesh.Agent.Probes;

/// <summary>
/// Asks a process whether it still does anything: it sends one byte to whoever connects to its abstract unix socket (unix(7)), by
/// the threads that its own work is done by. The kernel accepts on behalf of a process that is stopped, but says nothing for it.
/// </summary>
internal static class ProcessProbe
{
    /// <summary>Nothing else than what answers its node is connected to, whatever a registration names.</summary>
    private const string Prefix = "\0mesh-answers-";

    private const int Shortest = 16;

    /// <summary>What a name has to be.</summary>
    public const string NameText = "a DNS label of at least 16 characters";

    /// <summary>Whether a registration may name it.</summary>
    public static bool IsName(string name) => name.Length >= Shortest && DnsLabel.IsValid(name);

    /// <param name="name">As the registration gave it.</param>
    public static async Task<ProbeOutcome> TryAsync(string name, CancellationToken stop)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Prefix + name), stop);
            return await socket.ReceiveAsync(new byte[1], stop) == 1
                ? ProbeOutcome.Passed.Instance
                : new ProbeOutcome.Failed("the process ended the connection without an answer");
        }
        catch (SocketException full) when (full.SocketErrorCode == SocketError.WouldBlock)
        {
            return new ProbeOutcome.Silent("the process takes no connection of its node");
        }
        catch (SocketException failed)
        {
            return ProbeOutcome.Of(failed, "the process");
        }
    }
}
