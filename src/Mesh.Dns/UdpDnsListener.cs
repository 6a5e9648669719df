using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Mesh.Loops;
using Microsoft.Extensions.Logging;

namespace Mesh.Dns;

/// <summary>
/// Serves DNS on one UDP socket: a few threads that each receive, answer and send, so nothing queues here; what they
/// cannot take waits in the kernel's buffer, whose limit drops. They block in the system call, as an answer is made in
/// less time than a hop between threads takes.
/// </summary>
internal sealed class UdpDnsListener(Socket socket, DnsResponder responder, TimeProvider time, ILogger log)
{
    private const int Loops = 2;

    private readonly ToldSeldom _socketFailures = new(time);
    private readonly ToldSeldom _packetFailures = new(time);

    public Task RunAsync(ProcessLoops loops, CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, Loops).Select(_ => loops.RunAsync("DNS over UDP", ProcessLoops.OnThread(Loop), stop)));

    /// <summary>Ends when its socket is closed.</summary>
    private void Loop(CancellationToken stop)
    {
        var packet = GC.AllocateUninitializedArray<byte>(DnsResponder.MaxTcpPayload);
        var response = GC.AllocateUninitializedArray<byte>(DnsResponder.MaxUdpPayload);
        var sender = new SocketAddress(socket.AddressFamily);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var received = socket.ReceiveFrom(packet, SocketFlags.None, sender);
                if (IsReflection(sender))
                {
                    continue;
                }

                var began = Stopwatch.GetTimestamp();
                var length = responder.Respond(packet.AsSpan(0, received), response, overTcp: false, out var type, out var code);
                if (length > 0)
                {
                    socket.SendTo(response.AsSpan(0, length), SocketFlags.None, sender);
                    DnsMetrics.Answered(began, type, code);
                }
            }
            catch (Exception error) when (stop.IsCancellationRequested && error is (ObjectDisposedException or SocketException))
            {
                return;
            }
            catch (SocketException error)
            {
                // Such as a port that became unreachable between query and answer; the next packet is another client's.
                if (_socketFailures.Count() is > 0 and var times)
                {
                    log.SocketFailed((IPEndPoint)socket.LocalEndPoint!, error.Message, times);
                }
            }
#pragma warning disable CA1031 // The boundary of one question: whoever found one that meets an exception keeps nobody else from being answered.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                if (_packetFailures.Count() is > 0 and var times)
                {
                    log.PacketFailed(times, failure);
                }
            }
        }
    }

    /// <summary>
    /// Source port 0, echo, chargen and DNS itself: an answer there would be answered again.
    /// </summary>
    private static bool IsReflection(SocketAddress sender) => ((sender[2] << 8) | sender[3]) is 0 or 7 or 19 or 53;
}
