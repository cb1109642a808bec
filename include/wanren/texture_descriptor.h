// What a texture or surface handle points to in device memory; written by the runtime, read by texture.h.
#ifndef WANREN_TEXTURE_DESCRIPTOR_H
#define WANREN_TEXTURE_DESCRIPTOR_H

struct __wanren_texture {
  unsigned long long base;            // Device address of texel (0, 0, 0).
  unsigned long long pitch, slice;    // Bytes from row to row, from slice or layer to the next.
  unsigned int width, height, depth;  // Texels; depth counts slices, layers or faces. At least 1 each.
  unsigned int channels;              // 1, 2 or 4.
  unsigned int channel_bytes;         // 1, 2 or 4.
  unsigned int kind;                  // cudaChannelFormatKind
  unsigned int address[3];            // cudaTextureAddressMode
  unsigned int linear;                // Filter with the neighbours, else the nearest texel.
  unsigned int normalized_coordinates;
  unsigned int normalized_float;  // Integers are read as [0, 1] or [-1, 1].
  unsigned int border[4];         // Bits of the border colour, in the type that is read.
};

#endif
