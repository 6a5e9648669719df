using System.Security.Cryptography;
using System.Text;
using Mesh.ApiServer.Discovery;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.ApiServer;

/// <summary>Lets only holders of the token past, except to the health checks, which tell nothing.</summary>
internal sealed class BearerToken(RequestDelegate next, IOptions<ApiOptions> options, ILogger<BearerToken> log)
{
    private const string Scheme = "Bearer ";

    private readonly byte[] _expected = Hash(options.Value.Token);

    public Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path;
        if (HealthEndpoints.IsHealth(path) || IsRight(context.Request.Headers.Authorization.ToString()))
        {
            return next(context);
        }

        log.Unauthorized(context.Request.Method, path.Value ?? "", context.Connection.RemoteIpAddress?.ToString() ?? "");
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return Responses.WriteAsync(context, ApiStatus.Unauthorized(), context.RequestAborted);
    }

    // Hashes have one length, and comparing them takes one time: neither tells anything of the token.
    private bool IsRight(string header) =>
        header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(Hash(header[Scheme.Length..].Trim()), _expected);

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
