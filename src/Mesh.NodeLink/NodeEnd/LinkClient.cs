using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeLink.NodeEnd;

/// <summary>
/// The node's end of the link: one loop that links, and links again as soon as it is lost. Nothing on this machine waits
/// for it: a silo that is dead, stopped or slow costs this loop's time only.
/// </summary>
/// <param name="socket">Path of the silo's <c>link.sock</c>.</param>
public sealed class LinkClient(string socket, INodeLinkHandler handler, ReportOutbox outbox, TimeProvider time, ILogger<LinkClient> logger)
{
    /// <summary>See <see cref="LinkLimits.KeepAlive"/>; at least a second.</summary>
    internal TimeSpan KeepAlive { get; init; } = LinkLimits.KeepAlive;

    // The silo is usually only restarting: the first attempts follow fast.
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    // Both processes start together: that the silo does not listen yet is no news.
    private static readonly TimeSpan SilosStart = TimeSpan.FromSeconds(15);

    private ulong _links;

    /// <summary>Links until stopped. Its owner runs it again when an exception ended it: the silo then tells everything anew.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var wait = FirstWait;
        var told = false;
        var linkedOnce = false;
        var began = time.GetTimestamp();
        while (!stop.IsCancellationRequested)
        {
            var session = new NodeLinkSession(handler, outbox, ++_links, time, logger);
            var dialled = time.GetTimestamp();
            string reason;
            try
            {
                reason = await LinkOnceAsync(session, stop);
            }
            finally
            {
                if (session.WasWelcomed)
                {
                    handler.OnLinkLost();
                }
            }

            if (session.WasWelcomed)
            {
                // One that ends as soon as it is there, by something that the silo tells, would have all told again at once.
                wait = time.GetElapsedTime(dialled) < LongestWait ? wait : FirstWait;
                told = false;
                linkedOnce = true;
            }

            if (!told && !stop.IsCancellationRequested && (linkedOnce || time.GetElapsedTime(began) > SilosStart))
            {
                logger.LinkLost(reason);
                told = true;
            }

            await Task.Delay(wait, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }

    private async Task<string> LinkOnceAsync(NodeLinkSession session, CancellationToken stop)
    {
        using var channel = Dial();
        try
        {
            await session.RunAsync(new Link.LinkClient(channel), stop);
            return "the silo ended it.";
        }
        catch (RpcException lost) when (lost.Status.DebugException?.GetBaseException() is SocketException nobody)
        {
            return $"nobody answers on {socket} ({nobody.SocketErrorCode}).";
        }
        catch (RpcException lost)
        {
            return $"{lost.StatusCode}: {lost.Status.Detail}.";
        }
        catch (FormatException unreadable)
        {
            return unreadable.Message;
        }
        catch (IOException unwritable)
        {
            return $"what it said cannot be kept: {unwritable.Message}";
        }
        catch (OperationCanceledException)
        {
            return "no answer in time.";
        }
    }

    private GrpcChannel Dial()
    {
        var connector = new SocketsHttpHandler
        {
            // A stopped silo keeps its sockets open: only an unanswered ping tells.
            KeepAlivePingDelay = KeepAlive,
            KeepAlivePingTimeout = KeepAlive,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            ConnectTimeout = LinkLimits.Handshake,
            UseProxy = false,
            ConnectCallback = (_, cancel) => SiloSocket.ConnectAsync(socket, cancel),
        };
        return GrpcChannel.ForAddress("http://silo", new GrpcChannelOptions
        {
            HttpHandler = connector,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = LinkLimits.MessageBytes,
            MaxSendMessageSize = LinkLimits.MessageBytes,
        });
    }
}
