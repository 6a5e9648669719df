using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Mesh.Core;
using Mesh.Core.Clocks;
using Mesh.Core.Routing;
using Mesh.DataPlane.L7.Strict;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.L7.Tls;

/// <summary>
/// The step of a connection that speaks TLS with the client, in front of the strict reader, which then sees the same bytes as
/// in plain HTTP. Until a hello is whole a connection costs a timer, and what it sent; a handshake has its time, and one that
/// stalls while too many are under way loses its place.
/// </summary>
internal sealed class TlsStep(Published<RoutingSnapshot> routes, CertificateStore certificates, IngressOptions options, Action<Refusal, string> refused, TimeProvider time, ILogger log)
{
    private static readonly StreamPipeReaderOptions Reading = new(leaveOpen: true, useZeroByteReads: true);
    private static readonly StreamPipeWriterOptions Writing = new(leaveOpen: true);

    private readonly HandshakeGate _gate = new(options.MaxHandshakes);

    public async Task ServeAsync(ConnectionDelegate next, ConnectionContext connection)
    {
        var plain = connection.Transport;
        await using var tls = new SslStream(new TransportStream(plain), leaveInnerStreamOpen: false);
        var (result, why) = await HandshakeAsync(connection, tls);
        var session = result == HandshakeResult.Done ? new TlsSession(tls.SslProtocol == SslProtocols.Tls13 ? "1.3" : "1.2") : null;
        DataPlaneMetrics.Handshake(result, session);
        if (session is null)
        {
            DataPlaneLog.HandshakeEnded(log, Client(connection), result.Word(), why);
            return;
        }

        connection.Features.Set(session);
        connection.Transport = new TlsTransport(PipeReader.Create(tls, Reading), PipeWriter.Create(tls, Writing));
        try
        {
            await next(connection);
            await EndAsync(connection, tls);
        }
        finally
        {
            connection.Transport = plain;
        }
    }

    private async Task<(HandshakeResult Result, string Why)> HandshakeAsync(ConnectionContext connection, SslStream tls)
    {
        using var handshake = new Handshake(connection, options.HandshakeTimeout, time);
        var entered = _gate.Enter(handshake);
        handshake.Start();
        try
        {
            var (hello, name) = await ReadHelloAsync(connection);
            if (hello != HandshakeResult.Done)
            {
                return (hello, "");
            }

            _gate.Hear(entered);
            if (certificates.Find(routes.Current.Tls, name) is not { } shown)
            {
                return (HandshakeResult.NoCertificate, "");
            }

            await tls.AuthenticateAsServerAsync(shown, CancellationToken.None);
            return (handshake.Finish(), "");
        }
        catch (Exception failure) when (failure is AuthenticationException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            var cut = handshake.Finish();
            return cut != HandshakeResult.Done ? (cut, "")
                : failure is AuthenticationException ? (HandshakeResult.Failed, failure.GetBaseException().Message)
                : (HandshakeResult.ClientGone, "");
        }
        finally
        {
            _gate.Leave(entered);
        }
    }

    /// <summary>Looks at the bytes until they are a whole hello, and leaves them for the library.</summary>
    private async Task<(HandshakeResult Result, string Name)> ReadHelloAsync(ConnectionContext connection)
    {
        var input = connection.Transport.Input;
        while (true)
        {
            var read = await input.ReadAsync();
            var hello = ClientHello.Read(read.Buffer);
            if (hello.State == ClientHelloState.NotTls)
            {
                await AnswerPlainHttpAsync(connection, read.Buffer.FirstSpan[0]);
                return (HandshakeResult.NotTls, "");
            }

            input.AdvanceTo(read.Buffer.Start, hello.State == ClientHelloState.Whole ? read.Buffer.Start : read.Buffer.End);
            if (hello.State == ClientHelloState.Whole)
            {
                return (HandshakeResult.Done, hello.ServerName);
            }

            if (read.IsCompleted || read.IsCanceled)
            {
                return (HandshakeResult.ClientGone, "");
            }

            if (read.Buffer.Length > options.MaxHelloBytes)
            {
                return (HandshakeResult.TooLong, "");
            }
        }
    }

    /// <summary>What begins with a letter is plain HTTP by a mistake that its sender can mend; all else is closed without a word.</summary>
    private async Task AnswerPlainHttpAsync(ConnectionContext connection, byte first)
    {
        if (first is not (>= (byte)'A' and <= (byte)'Z'))
        {
            return;
        }

        var refusal = Refusal.Malformed("this is plain HTTP at a port that speaks HTTPS");
        refused(refusal, Client(connection));
        await connection.Transport.Output.WriteAsync(RefusalBytes.Of(refusal, WallClock.Now(time)));
    }

    /// <summary>Says that nothing was cut (close_notify; RFC 8446 §6.1), to a client that takes it; a connection that was aborted says nothing.</summary>
    private async Task EndAsync(ConnectionContext connection, SslStream tls)
    {
        using var limit = time.CreateTimer(
            static stalled => ((ConnectionContext)stalled!).Abort(new ConnectionAbortedException("The client does not take the end.")),
            connection,
            options.HandshakeTimeout,
            Timeout.InfiniteTimeSpan);
        try
        {
            await tls.ShutdownAsync();
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // It is gone already.
        }
    }

    private static string Client(ConnectionContext connection) => (connection.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "";

    private sealed record TlsTransport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}

/// <summary>A connection that speaks TLS, as the rest of the gateway sees it.</summary>
/// <param name="Version"><c>tls.protocol.version</c> of the semantic conventions: 1.2 or 1.3.</param>
internal sealed record TlsSession(string Version);
