using System.Buffers;
using System.Net.Mime;
using Mesh.ApiServer.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Mesh.ApiServer.Requests;

/// <summary>A request's body, whole.</summary>
internal sealed record RequestBody(ReadOnlyMemory<byte> Bytes, string MediaType);

/// <summary>Reads bodies up to the limit, whatever their headers promise.</summary>
internal static class BodyReader
{
    public static async Task<Outcome<RequestBody>> ReadAsync(HttpRequest request, CancellationToken stop)
    {
        if (request.Headers.ContentEncoding.Count > 0 && request.Headers.ContentEncoding.ToString() != "identity")
        {
            return ApiStatus.UnsupportedMediaType("compressed bodies are not accepted");
        }

        if (request.ContentLength > ApiOptions.MaxBodyBytes)
        {
            return TooLarge();
        }

        var type = MediaTypeHeaderValue.TryParse(request.ContentType, out var parsed)
            ? parsed.MediaType.ToString()
            : MediaTypeNames.Application.Json;
        while (true)
        {
            var read = await request.BodyReader.ReadAsync(stop);
            if (read.Buffer.Length > ApiOptions.MaxBodyBytes)
            {
                request.BodyReader.AdvanceTo(read.Buffer.End);
                return TooLarge();
            }

            if (read.IsCompleted)
            {
                var bytes = read.Buffer.ToArray();
                request.BodyReader.AdvanceTo(read.Buffer.End);
                return new RequestBody(bytes, type);
            }

            request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static ApiStatus TooLarge() => ApiStatus.TooLarge($"the body is larger than {ApiOptions.MaxBodyBytes} bytes");
}
