using System.Text.Json;
using System.Text.Json.Serialization;
using Mesh.Hosting.Options;

namespace Mesh.Hosting.Files;

/// <summary>The addresses that were chosen, as they stand in <c>addresses.json</c>: a restart uses them again.</summary>
public sealed record AddressBook
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
    };

    public string? Api { get; init; }

    public string? Node { get; init; }

    public string? IngressHttp { get; init; }

    public string? IngressHttps { get; init; }

    public string? Dns { get; init; }

    public string? Silo { get; init; }

    /// <summary>Empty when there is none, or when what is there cannot be read: then the ports are chosen anew.</summary>
    public static AddressBook Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<AddressBook>(File.ReadAllBytes(path), Json) ?? new AddressBook();
        }
        catch (Exception failure) when (failure is IOException or JsonException)
        {
            return new AddressBook();
        }
    }

    public void Write(string path) => AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, Json));

    /// <summary>The port that stood here for the same address, null when none did.</summary>
    public static int? PortOf(string? entry, ListenAddress wanted) =>
        ListenAddress.TryCreate(entry, out var kept) && kept.Address.Equals(wanted.Address) && kept.Port != 0 ? kept.Port : null;
}
