using System.Buffers;
using System.Text.Json;
using Mesh.Core.Json;

namespace Mesh.Agent.Http;

/// <summary>What the node answers an application with: one JSON object and a newline, so that a terminal shows it and a stream may follow.</summary>
internal static class JsonBody
{
    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, MeshJson.Compact))
        {
            write(json);
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }
}
