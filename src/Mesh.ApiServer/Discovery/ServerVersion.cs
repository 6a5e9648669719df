using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Mesh.Core.Names;

namespace Mesh.ApiServer.Discovery;

/// <summary>The Kubernetes version that the API is compatible with: kubectl warns when its own differs by more than one minor.</summary>
internal static class ServerVersion
{
    public static JsonObject Document(string build) => new()
    {
        ["major"] = "1",
        ["minor"] = "32",
        // kubectl reads it as a semantic version, where a second '+' is an error (semver.org, 10).
        ["gitVersion"] = $"v1.32.0+mesh-{BuildText.Short(build).Replace('+', '-')}",
        ["gitCommit"] = "",
        ["gitTreeState"] = "clean",
        ["buildDate"] = "1970-01-01T00:00:00Z",
        ["goVersion"] = "",
        ["compiler"] = RuntimeInformation.FrameworkDescription,
        ["platform"] = $"{(OperatingSystem.IsLinux() ? "linux" : "unknown")}/{Architecture()}",
    };

    private static string Architecture() => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        _ => "unknown",
    };
}
