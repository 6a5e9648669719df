using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>What a body of any size costs: the memory of the whole process is looked at, so no other test may run beside it.</summary>
[Collection(nameof(Alone))]
public sealed class LargeBodyTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ING-R07")]
    [Trait("Row", "ING-R09")]
    public async Task A_large_body_passes_both_ways_in_constant_memory()
    {
        const int block = 1024 * 1024;
        const long all = 256L * block;
        await using var backend = new RecordingBackend(DrainThenFillAsync);
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var client = await host.ConnectAsync(Stop);
        var bytes = new byte[block];
        var before = GC.GetTotalMemory(forceFullCollection: true);

        await client.SendAsync($"POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: {all}\r\n\r\n", Stop);
        for (var sent = 0L; sent < all; sent += block)
        {
            await client.Socket.SendAsync(bytes, Stop);
        }

        var answer = await client.AnswerAsync(Stop, toHead: true);
        Assert.Equal($"{all}", answer!.Header("Content-Length"));
        for (var received = 0L; received < all / 2;)
        {
            var read = await client.Socket.ReceiveAsync(bytes, Stop);
            Assert.NotEqual(0, read);
            received += read;
        }

        var after = GC.GetTotalMemory(forceFullCollection: true);
        Assert.InRange(after - before, long.MinValue, 32L * block);

        static async Task DrainThenFillAsync(BackendConnection connection)
        {
            // Not through the recorder: it would keep all of it.
            var buffer = new byte[256 * 1024];
            var read = await connection.Socket.ReceiveAsync(buffer);
            var body = (long)read - (buffer.AsSpan(0, read).IndexOf("\r\n\r\n"u8) + 4);
            while (body < all)
            {
                read = await connection.Socket.ReceiveAsync(buffer);
                Assert.NotEqual(0, read);
                body += read;
            }

            await connection.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {all}\r\n\r\n");
            for (var sent = 0L; sent < all; sent += buffer.Length)
            {
                await connection.Socket.SendAsync(buffer);
            }
        }
    }
}
