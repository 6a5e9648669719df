using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mesh.Client;

/// <summary>How the bodies of the registration protocol are written: made when the SDK is built, so that trimming and ahead-of-time compilation keep it.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(RegistrationProtocol.Registration))]
[JsonSerializable(typeof(RegistrationProtocol.Patch))]
internal sealed partial class MeshJson : JsonSerializerContext
{
    /// <summary>Text stays as it is: nothing here is put into a page of HTML, which is what the stricter encoder is for.</summary>
    public static MeshJson Plain { get; } = new(new JsonSerializerOptions(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
