using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Errors;
using Mesh.Core.Json;
using Microsoft.AspNetCore.Http;

namespace Mesh.ApiServer.Requests;

/// <summary>Writes whole JSON answers.</summary>
internal static class Responses
{
    public const string Json = "application/json";

    // Written pieces are sent on before they fill memory.
    private const int FlushAt = 64 * 1024;

    public static async Task WriteAsync(HttpContext context, int code, Action<Utf8JsonWriter> write, CancellationToken stop)
    {
        Start(context, code);
        await using var writer = Writer(context);
        write(writer);
        await writer.FlushAsync(stop);
    }

    public static async Task WriteItemsAsync<T>(
        HttpContext context, Action<Utf8JsonWriter> start, IEnumerable<T> items, Action<Utf8JsonWriter, T> item, CancellationToken stop)
    {
        Start(context, StatusCodes.Status200OK);
        await using var writer = Writer(context);
        start(writer);
        foreach (var one in items)
        {
            item(writer, one);
            if (writer.BytesPending > FlushAt)
            {
                await writer.FlushAsync(stop);
            }
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        await writer.FlushAsync(stop);
    }

    public static Task WriteAsync(HttpContext context, int code, JsonNode body, CancellationToken stop) =>
        WriteAsync(context, code, writer => body.WriteTo(writer), stop);

    public static Task WriteAsync(HttpContext context, ApiStatus status, CancellationToken stop)
    {
        if (status.RetryAfterSeconds > 0)
        {
            context.Response.Headers.RetryAfter = status.RetryAfterSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        return WriteAsync(context, status.Code, status.ToJson(), stop);
    }

    private static void Start(HttpContext context, int code)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType ??= Json;
        context.Response.Headers.CacheControl = "no-cache, private";
    }

    private static Utf8JsonWriter Writer(HttpContext context) => new(
        context.Response.BodyWriter, context.Request.Query["pretty"].ToString() is "true" or "1" ? MeshJson.Pretty : MeshJson.Compact);
}
