using System.Net;

namespace Mesh.DataPlane.L7.Carrier;

/// <summary>
/// A request body of which each piece goes out as it comes. SocketsHttpHandler would keep small pieces until its buffer
/// is full, and an endpoint that answers piece by piece would wait for ever. Each piece gives the answer its time anew.
/// </summary>
internal sealed class FlushedContent : HttpContent
{
    private static readonly HttpRequestOptionsKey<AnswerDeadline> Deadline = new("Mesh.AnswerDeadline");

    private readonly HttpContent _inner;
    private readonly AnswerDeadline? _deadline;

    private FlushedContent(HttpContent inner, AnswerDeadline? deadline)
    {
        _inner = inner;
        _deadline = deadline;
        foreach (var (name, values) in inner.Headers.NonValidated)
        {
            Headers.TryAddWithoutValidation(name, values);
        }
    }

    /// <summary>Tells the handler of the request which deadline its body extends.</summary>
    public static void Extends(HttpRequestMessage request, AnswerDeadline deadline) => request.Options.Set(Deadline, deadline);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _deadline?.AwaitClient();
#pragma warning disable CA2000 // it holds nothing; SocketsHttpHandler owns the stream under it
        await _inner.CopyToAsync(new FlushedStream(stream, _deadline), context, cancellationToken);
#pragma warning restore CA2000
        _deadline?.AwaitEndpoint();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    private sealed class FlushedStream(Stream inner, AnswerDeadline? deadline) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            deadline?.AwaitEndpoint();
            await inner.WriteAsync(buffer, cancellationToken);
            await inner.FlushAsync(cancellationToken);
            deadline?.AwaitClient();
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush() => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    /// <summary>Puts the content in place behind YARP, which allows no other content than its own.</summary>
    internal sealed class Handler(HttpMessageHandler next) : DelegatingHandler(next)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Content = request.Content is { } body
                ? new FlushedContent(body, request.Options.TryGetValue(Deadline, out var deadline) ? deadline : null)
                : EmptyContent.Find(request);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
