using System.IO.Pipelines;
using Mesh.DataPlane.L7;
using Mesh.DataPlane.L7.Tls;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace Mesh.DataPlane.Tests.L7.Tls;

/// <summary>What is written to a client that is gone.</summary>
public sealed class TransportStreamTests
{
    private readonly Pipe _output = new();
    private int _gone;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task What_a_client_that_is_gone_does_not_take_is_told_to_the_writer()
    {
        await using var stream = new TransportStream(new Transport(new Pipe().Reader, _output.Writer));
        await stream.WriteAsync("taken"u8.ToArray(), Stop);
        await _output.Reader.CompleteAsync();
        await Assert.ThrowsAsync<ConnectionResetException>(async () => await stream.WriteAsync("lost"u8.ToArray(), Stop));
        await Assert.ThrowsAsync<ConnectionResetException>(() => stream.FlushAsync(Stop));
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_writer_of_an_answer_hears_once_that_the_client_is_gone(bool isStream)
    {
        await using var stream = new TransportStream(new Transport(new Pipe().Reader, _output.Writer));
        var writer = new CountedWriter(isStream ? PipeWriter.Create(stream) : _output.Writer, () => _gone++);
        Assert.False((await writer.WriteAsync("taken"u8.ToArray(), Stop)).IsCompleted);
        Assert.Equal(0, _gone);
        await _output.Reader.CompleteAsync();
        Assert.True((await writer.WriteAsync("lost"u8.ToArray(), Stop)).IsCompleted);
        Assert.True((await writer.WriteAsync("lost"u8.ToArray(), Stop)).IsCompleted);
        await writer.CompleteAsync();
        Assert.Equal(1, _gone);
    }

    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
