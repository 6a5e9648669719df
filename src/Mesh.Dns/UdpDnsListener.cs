using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Mesh.Dns;

/// <summary>
/// Serves DNS on one UDP socket: a few loops that each receive, answer and send, so nothing queues here; what the loops
/// cannot take waits in the kernel's buffer, whose limit drops.
/// </summary>
internal sealed class UdpDnsListener(Socket socket, DnsResponder responder, ILogger log)
{
    private const int Loops = 2;

    public Task RunAsync(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, Loops).Select(_ => LoopAsync(stop)));

    private async Task LoopAsync(CancellationToken stop)
    {
        var packet = GC.AllocateUninitializedArray<byte>(DnsResponder.MaxTcpPayload, pinned: true);
        var response = GC.AllocateUninitializedArray<byte>(DnsResponder.MaxUdpPayload, pinned: true);
        var sender = new SocketAddress(socket.AddressFamily);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var received = await socket.ReceiveFromAsync(packet, SocketFlags.None, sender, stop);
                if (IsReflection(sender))
                {
                    continue;
                }

                var began = Stopwatch.GetTimestamp();
                var length = responder.Respond(packet.AsSpan(0, received), response, overTcp: false, out var type, out var code);
                if (length > 0)
                {
                    await socket.SendToAsync(response.AsMemory(0, length), SocketFlags.None, sender, stop);
                    DnsMetrics.Answered(began, type, code);
                }
            }
            catch (Exception error) when (stop.IsCancellationRequested && error is (OperationCanceledException or ObjectDisposedException or SocketException))
            {
                return;
            }
            catch (SocketException error)
            {
                // Such as a port that became unreachable between query and answer; the next packet is another client's.
                log.SocketFailed((IPEndPoint)socket.LocalEndPoint!, error);
            }
        }
    }

    /// <summary>
    /// Source port 0, echo, chargen and DNS itself: an answer there would be answered again.
    /// </summary>
    private static bool IsReflection(SocketAddress sender) => ((sender[2] << 8) | sender[3]) is 0 or 7 or 19 or 53;
}
