using System.Buffers;
using System.Net.Security;
using Mesh.DataPlane.L7.Tls;
using Xunit;

namespace Mesh.DataPlane.Tests.L7.Tls;

/// <summary>The first message of a client, as a real one sends it and as others may.</summary>
public sealed class ClientHelloTests
{
    [Theory(Timeout = 60_000)]
    [InlineData("app.test")]
    [InlineData("a-very-long-name-of-a-host.with.many.labels.example.com")]
    [InlineData("")]
    public async Task The_name_is_read_from_a_whole_hello_and_from_no_part_of_one(string name)
    {
        var hello = await HelloAsync(name);
        for (var length = 0; length < hello.Length; length++)
        {
            Assert.Equal(ClientHelloState.Incomplete, Read(hello.AsMemory(0, length)).State);
        }

        Assert.Equal(new ClientHello(ClientHelloState.Whole, name), Read(hello));
        Assert.Equal(new ClientHello(ClientHelloState.Whole, name), Read((byte[])[.. hello, 1, 2, 3]));
    }

    [Theory(Timeout = 60_000)]
    [Trait("Row", "REL-X11")]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public async Task A_hello_in_many_records_is_one_hello(int size)
    {
        var hello = await HelloAsync("app.test");
        byte[] records = [.. hello[5..].Chunk(size).SelectMany(part => (byte[])[22, 3, 1, (byte)(part.Length >> 8), (byte)part.Length, .. part])];

        Assert.Equal(ClientHelloState.Incomplete, Read(records.AsMemory(0, records.Length - 1)).State);
        Assert.Equal(new ClientHello(ClientHelloState.Whole, "app.test"), Read(records));
        Assert.Equal(ClientHelloState.NotTls, Read((byte[])[.. records[..(5 + Math.Min(size, hello.Length - 5))], 23, 3, 1, 0, 0]).State);
    }

    [Theory]
    [Trait("Row", "REL-H194")]
    [Trait("Row", "REL-H195")]
    [Trait("Row", "REL-H196")]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n")]
    [InlineData("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n")]
    [InlineData("\u0016\u0002\u0001")]
    [InlineData("\u0000")]
    public void What_is_no_TLS_is_known_by_its_first_bytes(string bytes) =>
        Assert.Equal(ClientHelloState.NotTls, Read(System.Text.Encoding.Latin1.GetBytes(bytes)).State);

    [Fact(Timeout = 60_000)]
    public async Task Whatever_byte_of_it_is_changed_it_is_read_without_an_error()
    {
        var hello = await HelloAsync("app.test");
        for (var at = 0; at < hello.Length; at++)
        {
            foreach (var value in (byte[])[0, 1, 127, 255])
            {
                var changed = hello.ToArray();
                changed[at] = value;
                Read(changed);
            }
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_hello_that_lies_across_segments_is_the_same()
    {
        var hello = await HelloAsync("app.test");
        var first = new Segment(hello.AsMemory(0, 40), null);
        var last = new Segment(hello.AsMemory(40), first);
        Assert.Equal("app.test", ClientHello.Read(new ReadOnlySequence<byte>(first, 0, last, hello.Length - 40)).ServerName);
    }

    private static ClientHello Read(ReadOnlyMemory<byte> bytes) => ClientHello.Read(new ReadOnlySequence<byte>(bytes));

    /// <summary>As the TLS library of this machine says it.</summary>
    private static async Task<byte[]> HelloAsync(string name)
    {
        await using var wire = new FirstWrite();
        await using var client = new SslStream(wire);
        await Assert.ThrowsAnyAsync<Exception>(() => client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = name }));
        return wire.ToArray();
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? before)
        {
            Memory = memory;
            RunningIndex = before is null ? 0 : before.RunningIndex + before.Memory.Length;
            before?.Next = this;
        }
    }

    /// <summary>Takes what is written, and answers nothing.</summary>
    private sealed class FirstWrite : MemoryStream
    {
        public override int Read(Span<byte> buffer) => 0;

        public override int Read(byte[] buffer, int offset, int count) => 0;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(0);
    }
}
