using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Mesh.Core.Pods;

/// <summary>What a probe may say (kubernetes pkg/apis/core/validation/validation.go, validateProbe): registrations and the API ask here.</summary>
public static class ProbeRules
{
    public const string HeaderNameText =
        "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";

    public const string HostText = "probes go to the Pod's own address; for a virtual host give the header Host";

    private static readonly SearchValues<char> HeaderNameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>A probe has one of them.</summary>
    public static ImmutableArray<string> Actions { get; } = ["exec", "grpc", "httpGet", "tcpSocket"];

    /// <summary>Whole numbers of 32 bits, not below 0; 0 is the default.</summary>
    public static ImmutableArray<string> Numbers { get; } =
        ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];

    public static ImmutableArray<string> Schemes { get; } = ["HTTP", "HTTPS"];

    public static bool IsHeaderName([NotNullWhen(true)] string? text) =>
        !string.IsNullOrEmpty(text) && !text.AsSpan().ContainsAnyExcept(HeaderNameCharacters);
}
