using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Mesh.Core.Descriptors;

namespace Mesh.DataPlane.L7.Carrier;

/// <summary>
/// A connection to an endpoint that tells "no byte of an answer" from "a cut answer". The end of the stream before an
/// answer is made an error, since SocketsHttpHandler would silently send a bodiless request again, up to four times
/// and to the same endpoint; here a retry is counted, goes elsewhere, and is for safe methods only.
/// </summary>
/// <param name="share">One of it is the connection's, until it is disposed.</param>
internal sealed class EndpointStream(Socket socket, DescriptorShare? share = null) : NetworkStream(socket, ownsSocket: true)
{
    private bool _answered;
    private int _isGiven;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Seen(base.ReadAsync(buffer, cancellationToken), buffer.Length);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _answered = false;
        var pending = base.WriteAsync(buffer, cancellationToken);
        return pending.IsCompletedSuccessfully ? pending : WrittenAsync(pending);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing && Interlocked.Exchange(ref _isGiven, 1) == 0)
        {
            share?.Give();
        }
    }

    /// <summary>
    /// The read with what it says noted. It is asked for its result once only: a receive that was pending may complete at
    /// any moment, and its source serves the next one as soon as somebody has taken the result.
    /// </summary>
    internal ValueTask<int> Seen(ValueTask<int> pending, int wanted)
    {
        if (!pending.IsCompletedSuccessfully)
        {
            return SeenAsync(pending, wanted);
        }

        var read = pending.Result;
        if (read == 0)
        {
            return SeenAsync(ValueTask.FromResult(0), wanted);
        }

        _answered = true;
        return ValueTask.FromResult(read);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> SeenAsync(ValueTask<int> pending, int wanted)
    {
        try
        {
            return Seen(await pending, wanted);
        }
        catch (IOException e) when (!_answered && e is not NoAnswerException)
        {
            throw new NoAnswerException(e.Message, e);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WrittenAsync(ValueTask pending)
    {
        try
        {
            await pending;
        }
        catch (IOException e) when (!_answered)
        {
            throw new NoAnswerException(e.Message, e);
        }
    }

    private int Seen(int read, int wanted)
    {
        if (read > 0)
        {
            _answered = true;
        }
        else if (wanted > 0 && !_answered)
        {
            throw new NoAnswerException("the connection was closed", null);
        }

        return read;
    }
}

/// <summary>The connection ended after the request was written and before any byte of an answer.</summary>
internal sealed class NoAnswerException(string message, Exception? inner) : IOException(message, inner);

/// <summary>The endpoint's connections were closed before the request was given to one.</summary>
internal sealed class RetiredException(Exception inner) : IOException(inner.Message, inner);

/// <summary>The endpoint did not take the connection.</summary>
internal sealed class NotConnectedException(string message, bool timedOut, Exception inner) : IOException(message, inner)
{
    public bool TimedOut => timedOut;
}

/// <summary>There is no descriptor for a connection to the endpoint.</summary>
internal sealed class NoRoomException(string message) : IOException(message);

/// <summary>The endpoint's answer means different things to different readers, so it is not passed on.</summary>
internal sealed class BadAnswerException(string message) : IOException(message);
