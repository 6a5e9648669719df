using Grpc.Core;
using Mesh.Core.Names;
using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeLink.SiloEnd;

/// <summary>Takes a node's call, reads its Hello and runs the session to its end.</summary>
internal sealed class LinkEndpoint(ILinkSessionHandler handler, Random random, TimeProvider time, ILogger logger, CancellationToken stopping) : Link.LinkBase
{
    public override async Task Session(IAsyncStreamReader<FromNode> requestStream, IServerStreamWriter<FromSilo> responseStream, ServerCallContext context)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stopping);
        var hello = await HelloAsync(requestStream, over.Token);
        await using var session = new LinkSession(hello, NewId(), handler, time, logger);
        logger.NodeLinked(hello.NodeName, hello.Build, hello.Pid, session.Id);
        var reason = await session.RunAsync(requestStream, responseStream, over.Token);
        logger.SessionEnded(session.Id, hello.NodeName, reason);
    }

    private async Task<Hello> HelloAsync(IAsyncStreamReader<FromNode> messages, CancellationToken over)
    {
        using var late = new CancellationTokenSource(LinkLimits.Handshake, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, over);
        try
        {
            return await messages.MoveNext(either.Token) && messages.Current.Hello is { NodeName.Length: > 0 } hello
                ? hello
                : throw new RpcException(new Status(StatusCode.InvalidArgument, "The first message of a link is Hello, with the node's name."));
        }
        catch (OperationCanceledException)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, "No Hello came."));
        }
    }

    private string NewId()
    {
        lock (random)
        {
            return Uid.New(random);
        }
    }
}
